"""What the service does with its data: functions over a database connection, free of HTTP.

Refusals are `ApiError`s, since status and message are part of each rule.
"""
