#!/usr/bin/env bash
# comment.sh NUMBER FILE [no]: keep one comment of a pull request up to date; `no` makes none.
# It is the one that begins with the file's first line; a file of that line alone takes it away.
set -euo pipefail

number=$1
file=$2
scripts=$(dirname -- "${BASH_SOURCE[0]}")
comments=repos/$GITHUB_REPOSITORY/issues/comments

id=$(bash "$scripts/ours.sh" "repos/$GITHUB_REPOSITORY/issues/$number/comments?per_page=100" id "$file")

if [ "$(wc -l <"$file")" -le 1 ]; then
  if [ -n "$id" ]; then gh api --silent --method DELETE "$comments/$id"; fi
elif [ -n "$id" ]; then
  gh api --silent --method PATCH "$comments/$id" --field "body=@$file"
elif [ "${3:-}" != no ]; then
  gh api --silent --method POST "repos/$GITHUB_REPOSITORY/issues/$number/comments" \
    --field "body=@$file"
fi
