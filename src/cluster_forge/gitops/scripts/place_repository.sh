# A repository on a volume gains the new commit; revisions that were deployed before stay in it.
# shellcheck shell=sh disable=SC2154 # its variables are the container's

if [ -d "$REPOSITORY" ]; then
  git -C "$REPOSITORY" fetch --quiet --force /repository/new '+refs/*:refs/*'
  rm -rf new
else
  mv new "$REPOSITORY"
fi
