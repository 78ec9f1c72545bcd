"""The values that everything else passes around: frozen, no I/O, no third party."""
