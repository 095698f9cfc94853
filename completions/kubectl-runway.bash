# Written by kubectl-runway: completion for bash 4 or later.
#
#   source <(kubectl-runway completion bash)

# Parts the line up to the cursor into words as bash would, without their quotes, and runs nothing that stands in them. bash itself
# splits words at = and : too, and leaves the quotes. Sets words, and of the last one: base, how much of it stands before what
# bash replaces, and quote, the quote that is open there.
__kubectl_runway_words() {
    local line="${COMP_LINE:0:COMP_POINT}" word='' begun='' next char i
    words=() base=0 quote=''
    for ((i = 0; i < ${#line}; i++)); do
        char="${line:i:1}" next="${line:i+1:1}"
        if [[ -n "$quote" ]]; then
            if [[ "$char" == "$quote" ]]; then
                quote='' base=${#word}
            elif [[ "$quote$char" == '"\' && -n "$next" && '$`"\' == *"$next"* ]]; then
                word+="$next"
                ((i += 1))
            else
                word+="$char"
            fi
            continue
        fi
        case "$char" in
        ' ' | $'\t' | $'\n')
            [[ -n "$begun" ]] && words+=("$word")
            word='' begun='' base=0
            continue
            ;;
        \' | \")
            quote="$char" base=${#word}
            ;;
        \\)
            word+="$next"
            ((i += 1))
            ;;
        @)
            # The one that bash replaces too, when it breaks a word there.
            [[ "$COMP_WORDBREAKS" == *@* ]] && base=${#word}
            word+="$char"
            ;;
        *)
            word+="$char"
            [[ "$COMP_WORDBREAKS" == *"$char"* ]] && base=${#word}
            ;;
        esac
        begun=yes
    done
    words+=("$word")
}

# What was asked for, as it has to be typed where the cursor stands: with quotes only where it needs them.
__kubectl_runway_typed() {
    case "$quote" in
    \')
        typed="${1//\'/\'\\\'\'}"
        ;;
    \")
        typed="${1//\\/\\\\}" typed="${typed//\"/\\\"}" typed="${typed//\$/\\\$}" typed="${typed//\`/\\\`}"
        ;;
    *)
        typed=''
        [[ -n "$1" ]] && printf -v typed '%q' "$1"
        # A comma means nothing outside of braces.
        typed="${typed//\\,/,}"
        ;;
    esac
}

_kubectl_runway() {
    local words base quote typed program current flag='' directive line lines=()
    __kubectl_runway_words
    current="${words[${#words[@]} - 1]}"
    program="${words[0]/#\~\//$HOME/}"
    # An alias is no program.
    type -P -- "$program" >/dev/null || program=kubectl-runway
    mapfile -t lines < <("$program" __completeNoDesc "${words[@]:1}" 2>/dev/null)
    ((${#lines[@]} > 0)) || return
    directive="${lines[${#lines[@]} - 1]#:}"
    unset "lines[${#lines[@]}-1]"

    # The candidates of --flag=value are values.
    [[ "$current" == -*=* ]] && flag="${current%%=*}="
    COMPREPLY=()
    for line in "${lines[@]}"; do
        line="$flag$line"
        __kubectl_runway_typed "${line:base}"
        COMPREPLY+=("$typed")
    done
    if ((directive & 16)); then
        mapfile -t COMPREPLY < <(compgen -d -- "${current:base}")
        compopt -o filenames 2>/dev/null
    elif ((!(directive & 4) && ${#COMPREPLY[@]} == 0)); then
        mapfile -t COMPREPLY < <(compgen -f -- "${current:base}")
        compopt -o filenames 2>/dev/null
    fi
    if ((directive & 2)); then
        compopt -o nospace 2>/dev/null
    fi
}

complete -F _kubectl_runway kubectl-runway
