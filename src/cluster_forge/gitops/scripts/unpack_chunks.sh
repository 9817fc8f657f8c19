# The Git server's init container: puts the repository together from its chunks.
# shellcheck shell=sh

set -eu
[ -x "$(git --exec-path)/git-daemon" ] || { echo 'this image of Argo CD has no git daemon' >&2; exit 1; }
cd /repository
rm -rf new
mkdir -p new/objects new/refs
echo "$REPOSITORY_SHA256  -" > /tmp/expected
cat /chunks/* | sha256sum -c --status /tmp/expected || { echo 'the chunks are not the repository' >&2; exit 1; }
cat /chunks/* | tar -x -f - -C new
