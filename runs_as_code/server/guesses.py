"""Every guess about the API that the server makes, in one place.

Nobody published these answers (`[J]`). Each name here is listed in `docs/server.md`; whoever
learns the truth changes one line. Guesses that are the shape of the code itself, not a value, are
listed there without a name.
"""

from typing import Final

from runs_as_code.model import membership

# Where the public API begins; no guess, but named once.
BASE_PATH: Final = "/api/public/v0"

# Status codes that no page states.
CLONE_STATUS: Final = 201
MILESTONE_STATUS: Final = 201
RESULT_STATUS: Final = 201
RUN_LOG_STATUS: Final = 201
PLAN_STATUS: Final = 201
BULK_CASES_STATUS: Final = 201
BATCH_FILES_STATUS: Final = 201
TITLE_CONFLICT_STATUS: Final = 403
CLOSE_TWICE_STATUS: Final = 400
CLOSED_RUN_STATUS: Final = 400
CASE_CONFLICT_STATUS: Final = 409

# Methods that no endpoint has are 404 everywhere, as was seen of DELETE [3P]; others are 405.
UNKNOWN_METHODS: Final = ("DELETE",)

# Message texts that nobody recorded.
MESSAGE_ALREADY_CLOSED: Final = "run is already closed"
MESSAGE_RUN_CLOSED: Final = "run is closed"
MESSAGE_BAD_ASSIGNEE: Final = "assignee must be an active user with permissions above Viewer role"
MESSAGE_ARCHIVED_MILESTONE: Final = "milestone is archived"
MESSAGE_TITLE_TWICE_IN_PLAN: Final = "titles of the runs of a plan must be unique"
MESSAGE_FORBIDDEN: Final = "Insufficient permissions"
MESSAGE_NO_KEY: Final = "Invalid or missing API key"

# Closed runs keep their title reserved: a plain unique constraint, since nothing can be reopened.
CLOSED_RUNS_HOLD_TITLES: Final = True

# What plans select is guessed in one place for both sides.
RUN_FOLDERS_INCLUDE_SUBFOLDERS: Final = membership.RUN_FOLDERS_INCLUDE_SUBFOLDERS
TCASE_IDS_NARROW_FILTERS: Final = membership.TCASE_IDS_NARROW_FILTERS
DRAFTS_ENTER_RUNS: Final = membership.DRAFTS_ENTER_RUNS

# A plan without any filter is refused, as the official client refuses it before sending.
EMPTY_PLAN_IS_REFUSED: Final = True

# A clone without milestone or assignee in its body gets none.
CLONE_INHERITS_FIELDS: Final = False

# `limit=0` in the run list means no limit, the habit of Go services.
RUN_LIMIT_ZERO_IS_NO_LIMIT: Final = True

# The run list's counters obey `milestoneIds` and `configurationIds`, not `closed` and `limit`.
COUNTERS_OBEY_FILTERS: Final = True

# The run list is newest first.
RUNS_NEWEST_FIRST: Final = True

# Custom statuses appear in `statusCounts` only when some case has them.
CUSTOM_COUNTS_WHEN_NON_ZERO: Final = True

# `PATCH` and `POST` refuse a position that another case of the folder has.
TAKEN_POSITION_IS_REFUSED: Final = True

# What a custom field that is a checkbox can be.
CHECKBOX_VALUES: Final = ("true", "false")

# Longest title of a tag, in characters, as of other things with a title.
TAG_TITLE_LIMIT: Final = 255

# Milestone titles may repeat; names then resolve to several ids.
MILESTONE_TITLES_ARE_UNIQUE: Final = False

# Project codes in paths are compared exactly.
PROJECT_CODES_IGNORE_CASE: Final = False

# Page size when `page` or `offset` comes without `limit`; larger limits are cut to the cap.
DEFAULT_PAGE_SIZE: Final = 10
PAGE_SIZE_CAP: Final = 5000

# A new project gets this folder unless `skipDefaultFolder` is sent.
DEFAULT_FOLDER_TITLE: Final = "Default folder"

# Largest upload taken at once, in bytes (each file: 50 MiB, as documented).
UPLOAD_LIMIT: Final = 256 * 1024 * 1024

# Uploaded files are read without a key, like links in a comment; their ids can't be guessed.
DOWNLOAD_PATH: Final = "/files"

# Runs of a test plan without `type` are user selections.
PLAN_RUN_TYPE: Final = "static_struct"

# A comment may be added to a closed run's log.
CLOSED_RUNS_TAKE_LOGS: Final = True

# Largest JSON body taken, in bytes.
BODY_LIMIT: Final = 8 * 1024 * 1024
