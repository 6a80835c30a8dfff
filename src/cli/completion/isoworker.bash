# SPDX-License-Identifier: Apache-2.0
# Completion of isoworker for bash. Commands, verbs and options are what the program says of itself,
# so that nothing stands here twice; functions and queues are those of the host that runs.

# The words that a command's --help has behind "isoworker COMMAND": its verbs.
_isoworker_verbs() {
    "$1" "$2" --help 2>/dev/null | sed -n "s/^.*isoworker $2 \([a-z|]*\)\( .*\)\?$/\1/p" | tr '|' '\n'
}

_isoworker_options() {
    "$1" "$2" --help 2>/dev/null | grep -o -e '--[a-z][a-z-]*' -e '-C\b' | sort -u
}

# The names in the list $1, behind which the list $2 comes, of what the rest prints as JSON.
_isoworker_names() {
    local list=$1 next=$2
    shift 2
    "$@" --json 2>/dev/null | sed -e "s/.*\"$list\":\[//" -e "s/\],\"$next\":.*//" |
        grep -o '{"name":"[^"]*"' | cut -d '"' -f 4
}

# The folder that -C names; else the one that the host is in by default.
_isoworker_folder() {
    local i

    for ((i = 2; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == -C ]] && printf '%s' "${COMP_WORDS[i + 1]}" && return
    done
    printf .
}

_isoworker() {
    local program=${COMP_WORDS[0]} command=${COMP_WORDS[1]}
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local folder words=""

    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        words=$("$program" help 2>/dev/null | sed -n 's/^  \([a-z]*\) .*/\1/p')
    elif [[ $before == -C ]]; then
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
        return
    elif [[ $before == --data && $current == @* ]]; then
        mapfile -t COMPREPLY < <(compgen -P @ -f -- "${current#@}")
        return
    elif [[ $current == -* ]]; then
        words=$(_isoworker_options "$program" "$command")
    elif [[ $before == --* ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
    else
        folder=$(_isoworker_folder)
        case $command in
        invoke) words=$(_isoworker_names functions triggers "$program" status "$folder") ;;
        queue)
            if ((COMP_CWORD == 2)); then
                words=$(_isoworker_verbs "$program" queue)
            else
                words=$(_isoworker_names queues messages "$program" queue list -C "$folder")
            fi
            ;;
        timer)
            ((COMP_CWORD == 2)) && words=$(_isoworker_verbs "$program" timer)
            ;;
        esac
        if [[ -z $words ]]; then
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            return
        fi
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -F _isoworker isoworker
