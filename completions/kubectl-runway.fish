# Written by kubectl-runway: completion for fish.
#
#   kubectl-runway completion fish | source

function __kubectl_runway_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    set -l lines ($program __complete $words "$current" 2>/dev/null)
    test (count $lines) -gt 0; or return
    set -l directive (string replace -r '^:' '' -- $lines[-1])
    set -e lines[-1]

    # The candidates of --flag=value are values.
    set -l flag ''
    set -l value $current
    if string match -q -- '--*=*' $current
        set flag (string replace -r '=.*' '=' -- $current)
        set value (string replace -r '^[^=]*=' '' -- $current)
    end
    if test (math "bitand($directive, 16)") -ne 0
        __fish_complete_directories $value
        return
    end
    if test (math "bitand($directive, 4)") -eq 0; and test (count $lines) -eq 0
        __fish_complete_path $value
        return
    end
    for line in $lines
        echo $flag$line
    end
end

complete -c kubectl-runway -e
complete -c kubectl-runway -f -k -a '(__kubectl_runway_complete)'
