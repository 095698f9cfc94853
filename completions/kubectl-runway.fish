# Written by kubectl-runway: completion for fish.
#
#   kubectl-runway completion fish | source

# A word without its quotes, of which the last may be open.
function __kubectl_runway_plain
    set -l plain
    for end in '' '"' "'"
        set plain (string unescape -- "$argv[1]$end" 2>/dev/null)
        test (count $plain) -gt 0; and break
    end
    set -q plain[1]; or set plain $argv[1]
    printf '%s\n' $plain[1]
end

function __kubectl_runway_complete
    set -l words (commandline -opc)
    set -l current (__kubectl_runway_plain (commandline -ct))
    set -l program (string replace -r '^~/' "$HOME/" -- $words[1])
    # An alias is no program.
    command -q -- $program; or set program kubectl-runway
    set -e words[1]
    set -l lines (command $program __complete $words "$current" 2>/dev/null)
    test (count $lines) -gt 0; or return
    set -l directive (string replace -r '^:' '' -- $lines[-1])
    set -e lines[-1]

    # The candidates of --flag=value are values, and files begin behind what is no part of their names.
    set -l flag (string match -r -- '^-[^=]*=' "$current")
    set -l before (string match -r -- '^(?:-[^=]*=)?(?:[a-z-]+=|layout:)?' "$current")
    set -l value (string replace -- "$before" '' "$current")
    if test (math "bitand($directive, 16)") -ne 0
        set lines (__fish_complete_directories "$value")
        set flag $before
    else if test (math "bitand($directive, 4)") -eq 0; and test (count $lines) -eq 0
        set lines (__fish_complete_path "$value")
        set flag $before
    end
    for line in $lines
        printf '%s\n' "$flag$line"
    end
end

complete -c kubectl-runway -e
complete -c kubectl-runway -f -k -a '(__kubectl_runway_complete)'
