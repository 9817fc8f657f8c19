"""The scripts that let bash, zsh and fish complete with TAB: they ask the program for lines of kind, value and help.

The program gets the line up to the cursor in COMP_WORDS. Errors print nothing into the shell. The part of a word before
a ``=`` is added again where the shell replaces the whole word.
"""

from __future__ import annotations

from typing import Final

BASH: Final = r"""_cluster_forge() {
    local program=${1/#\~/$HOME} word=${COMP_WORDS[COMP_CWORD]} head='' kind value help
    [[ $word == --*=* ]] && head=${word%%=*}=
    COMPREPLY=()
    while IFS=$'\t' read -r kind value help; do
        case $kind in
            plain) COMPREPLY+=("$head$value") ;;
            dir) compopt -o dirnames 2>/dev/null ;;
            file) compopt -o default 2>/dev/null ;;
        esac
    done < <(COMP_WORDS="${COMP_LINE:0:COMP_POINT}" _CLUSTER_FORGE_COMPLETE=bash_complete "$program" 2>/dev/null </dev/null)
}
complete -o nosort -F _cluster_forge cluster-forge 2>/dev/null || complete -F _cluster_forge cluster-forge
"""

ZSH: Final = r"""#compdef cluster-forge

_cluster_forge() {
    local line="${words[1,CURRENT-1]} ${IPREFIX}${PREFIX}" kind value help
    local -a plain
    local -a described
    compset -P 1 '--*='
    while IFS=$'\t' read -r kind value help; do
        case $kind in
            plain) [[ -n $help ]] && described+=("${value//:/\\:}:$help") || plain+=("$value") ;;
            dir) _path_files -/ ;;
            file) _path_files -f ;;
        esac
    done < <(COMP_WORDS="$line" _CLUSTER_FORGE_COMPLETE=zsh_complete ${(Q)words[1]} 2>/dev/null </dev/null)
    (( $#described )) && _describe -V 'cluster-forge' described
    (( $#plain )) && compadd -V 'cluster-forge' -a plain
    return 0
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _cluster_forge "$@"
else
    compdef _cluster_forge cluster-forge
fi
"""

FISH: Final = r"""function __cluster_forge_complete
    set -l token (commandline -ct)
    set -l head (string match -r -- '^--[^=]+=' $token)
    set -l rest (string replace -r -- '^--[^=]+=' '' $token)
    for line in (env COMP_WORDS=(commandline -cp) _CLUSTER_FORGE_COMPLETE=fish_complete cluster-forge 2>/dev/null </dev/null)
        set -l parts (string split -- \t $line)
        switch $parts[1]
            case plain
                printf '%s\t%s\n' "$head$parts[2]" "$parts[3]"
            case dir
                for found in (__fish_complete_directories $rest '')
                    echo "$head$found"
                end
            case file
                for found in (__fish_complete_path $rest '')
                    echo "$head$found"
                end
        end
    end
end

complete --no-files --command cluster-forge --arguments '(__cluster_forge_complete)'
"""

SCRIPTS: Final = {"bash": BASH, "zsh": ZSH, "fish": FISH}
