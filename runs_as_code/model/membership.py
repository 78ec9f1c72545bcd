"""What a run's query plans select: the guesses that the server and the client go by alike.

Nobody published these answers (`[J]`). They are here because both sides need them: the embedded
server fills runs by them, and the client tells by them which test cases a run would hold today.
"""

from typing import Final

# A run's folder filter takes in subfolders; the test case list's filter does not.
RUN_FOLDERS_INCLUDE_SUBFOLDERS: Final = True

# `tcaseIds` beside filters narrows them (AND), as filters narrow each other.
TCASE_IDS_NARROW_FILTERS: Final = True

# Drafts are not ready to be executed, so they enter no run.
DRAFTS_ENTER_RUNS: Final = False
