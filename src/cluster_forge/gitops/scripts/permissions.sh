# What kubectl must be allowed to do where it applies components itself.
# shellcheck shell=sh

check_permissions() {
  answer=$(k auth can-i '*' '*' --all-namespaces 2>&1) ||
    die 3 "missing permissions: the stack needs those of a cluster administrator (kubectl auth can-i '*' '*' --all-namespaces: $answer)"
}
