#!/usr/bin/env bash
# comment.sh NUMBER FILE: keep one comment of a pull request up to date.
# It is the one that begins with the file's first line; a file of that line alone takes it away.
set -euo pipefail

number=$1
file=$2
bot=${QARUN_BOT:-github-actions[bot]}
comments=repos/$GITHUB_REPOSITORY/issues/comments
marker=$(head -n 1 -- "$file")

listed=$(
  gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$number/comments?per_page=100" \
    --jq '.[] | [.id, .user.login, ((.body // "") | split("\n")[0] // "" | rtrimstr("\r"))] | @tsv'
)
id=
while IFS=$'\t' read -r found login first; do
  # Anybody may write our marker; only what we wrote ourselves is ours to change.
  if [ "$login" = "$bot" ] && [ "$first" = "$marker" ]; then
    id=$found
    break
  fi
done <<<"$listed"

if [ "$(wc -l <"$file")" -le 1 ]; then
  if [ -n "$id" ]; then gh api --silent --method DELETE "$comments/$id"; fi
elif [ -n "$id" ]; then
  gh api --silent --method PATCH "$comments/$id" --field "body=@$file"
else
  gh api --silent --method POST "repos/$GITHUB_REPOSITORY/issues/$number/comments" \
    --field "body=@$file"
fi
