# Written by kubectl-runway: completion for bash 4 or later.
#
#   source <(kubectl-runway completion bash)
#
# bash splits words at = and : too. They are put together again, since the program wants the words that it would get.

_kubectl_runway() {
    local words=() word cur value prefix directive i
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word="${COMP_WORDS[i]}"
        if ((${#words[@]} > 0)) && [[ "$word" == [:=]* || "${COMP_WORDS[i - 1]}" == *[:=] ]]; then
            words[${#words[@]} - 1]+="$word"
        else
            words+=("$word")
        fi
    done
    cur="${words[${#words[@]} - 1]}"

    local lines=()
    mapfile -t lines < <("${COMP_WORDS[0]/#\~/$HOME}" __completeNoDesc "${words[@]}" 2>/dev/null)
    ((${#lines[@]} > 0)) || return
    directive="${lines[${#lines[@]} - 1]#:}"
    unset "lines[${#lines[@]}-1]"

    # What stands before the last = or : is not part of the word that bash replaces.
    value="$cur"
    [[ "$cur" == --*=* ]] && value="${cur#*=}"
    prefix="${value%"${value##*[:=]}"}"
    COMPREPLY=()
    for word in "${lines[@]}"; do
        COMPREPLY+=("$(printf '%q' "${word#"$prefix"}")")
    done
    if ((directive & 16)); then
        mapfile -t COMPREPLY < <(compgen -d -- "${value#"$prefix"}")
        compopt -o filenames 2>/dev/null
    elif ((!(directive & 4) && ${#COMPREPLY[@]} == 0)); then
        mapfile -t COMPREPLY < <(compgen -f -- "${value#"$prefix"}")
        compopt -o filenames 2>/dev/null
    fi
    if ((directive & 2)); then
        compopt -o nospace 2>/dev/null
    fi
}

complete -F _kubectl_runway kubectl-runway
