# What kubectl must be allowed to do where it applies components itself.
# shellcheck shell=sh

check_permissions() {
  k auth can-i '*' '*' --all-namespaces >/dev/null 2>&1 ||
    give_up 3 'you may not do everything in this cluster, and the stack needs it (kubectl auth can-i "*" "*" --all-namespaces): use the credentials of a cluster administrator'
}
