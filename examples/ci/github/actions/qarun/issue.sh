#!/usr/bin/env bash
# issue.sh FILE TITLE: keep one issue about drift: open it, bring it up to date, close it.
# It is the open one that begins with the file's first line; a file of that line alone closes it.
set -euo pipefail

file=$1
title=${2:0:200}
scripts=$(dirname -- "${BASH_SOURCE[0]}")
issues=repos/$GITHUB_REPOSITORY/issues
page=$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID

number=$(bash "$scripts/ours.sh" "$issues?state=open&labels=qarun-drift&per_page=100" number "$file")

if [ "$(wc -l <"$file")" -le 1 ]; then
  if [ -n "$number" ]; then
    gh api --silent --method POST "$issues/$number/comments" --raw-field "body=$title $page"
    gh api --silent --method PATCH "$issues/$number" --raw-field state=closed
  fi
elif [ -n "$number" ]; then
  gh api --silent --method PATCH "$issues/$number" --raw-field "title=$title" --field "body=@$file"
else
  gh api --silent --method POST "$issues" --raw-field "title=$title" --field "body=@$file" \
    --raw-field "labels[]=qarun-drift"
fi
