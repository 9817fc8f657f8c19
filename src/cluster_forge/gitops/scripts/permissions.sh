# What kubectl must be allowed to do where it applies components itself.
# shellcheck shell=sh disable=SC2154 # set by kubectl.sh

check_permissions() {
  ask auth can-i '*' '*' --all-namespaces ||
    die 3 "missing permissions: the stack needs those of a cluster administrator (kubectl auth can-i '*' '*' --all-namespaces: $answer)"
}
