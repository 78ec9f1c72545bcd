"""What is said of an error that nobody foresaw, where it must not end anything else."""


def bug_words(error: Exception) -> str:
    """Name an error of the program itself, without what looks like a key."""
    from runs_as_code.manifest.text import redact  # noqa: PLC0415 -- for errors only

    return redact(f"internal error: {type(error).__name__}: {error}")
