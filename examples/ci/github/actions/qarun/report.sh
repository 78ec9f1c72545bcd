#!/usr/bin/env bash
# Tell the pull request what an apply did, or why it has nothing to report.
set -euo pipefail

scripts=$(dirname -- "$0")
page=$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID
report=$FOLDER/report.md

# Nothing done and nothing wrong is no news; of a stale plan the one that is made next tells.
if [ "${CODE:-0}" -eq 0 ] && [ "${DONE:-0}" -eq 0 ]; then exit 0; fi
if [ "$STALE" = true ]; then exit 0; fi
number=$(bash "$scripts/merged.sh" number)
if [ -z "$number" ]; then exit 0; fi

if [ ! -s "$report" ]; then
  # Only `validate` makes a first line whatever is wrong; its kind is put right here.
  qarun validate -f "$FILES" --comment-id "$CONTEXT" --output "markdown=$report" >/dev/null || true
  marker=$(head -n 1 "$report" | sed 's/qarun:validate/qarun:apply/')
  {
    printf '%s\n### Apply: exit %s\n\n```text\n' "$marker" "$CODE"
    # No line of these can end the fence.
    { grep -E '^(error|hint): ' "$FOLDER/apply.log" || true; } | head -c 8000
    printf '\n```\n\n%s\n' "$page"
  } >"$report"
fi
bash "$scripts/comment.sh" "$number" "$report"
