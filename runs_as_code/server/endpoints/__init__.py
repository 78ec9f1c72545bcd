"""The endpoints of the public API, one module an area: shapes of bodies and replies, no rules."""
