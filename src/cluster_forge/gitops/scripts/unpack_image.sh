# The Git server's init container: completes the repository of the stack's image (see complete.sh there).
# shellcheck shell=sh

set -eu
[ -x "$(git --exec-path)/git-daemon" ] || { echo 'the base of this image (image.base) has no git daemon' >&2; exit 1; }
cd /repository
rm -rf new
cp -R /repo.git new
mkdir -p new/objects new/refs
cd /manifests
find . -type f | GIT_DIR=/repository/new git hash-object -w --no-filters --stdin-paths > /dev/null
git -C /repository/new fsck --strict --no-dangling --no-progress
cd /repository
