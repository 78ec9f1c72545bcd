"""Plans, drift, reports and diagnostics in the formats of reviews and pipelines, one a module.

Pure like the rest of `report`: values in, strings out. What the server or a manifest says goes
through `report.safe` first and through the escapes of the format after it, never the other way
round. Where a text goes (a file, a comment, the log of a step) is the command line's business.
"""
