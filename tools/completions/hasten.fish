# Completion of hasten for fish.  Commands, options and runs are asked of hasten itself.

function __hasten_commands
    hasten help 2>/dev/null | string match -rg '^  ([a-z]{2,} +[a-zA-Z].*)' | string match -v 'hasten *' | string replace -r ' +' \t
end

function __hasten_options
    set -l words (commandline -opc)
    set -l command $words[2]
    test "$command" = heap; and string match -rq '^[a-z]+$' -- $words[3]; and set -a command $words[3]
    hasten help $command 2>/dev/null | string replace -rf '^  (?:-.,|   ) (--[a-z-]+)(?: [A-Z]+)? +(.*)' '$1'\t'$2'
end

function __hasten_questions
    hasten help heap 2>/dev/null | string replace -rf '^  hasten heap ([a-z]+)\b.{1,17}(.*)' '$1'\t'$2'
end

function __hasten_runs
    echo last
    hasten runs --json 2>/dev/null | string match -arg '"(?:number": *(\d+)|name": *"([^"]+)")' | string match -v ''
end

function __hasten_command_is
    set -l words (commandline -opc)
    test (count $words) -ge 2; and contains -- $words[2] $argv
end

complete -c hasten -n 'test (count (commandline -opc)) -eq 1' -f -a '(__hasten_commands)'
complete -c hasten -n 'test (count (commandline -opc)) -ge 2; and string match -q -- "-*" (commandline -ct)' -f -a '(__hasten_options)'
complete -c hasten -n '__hasten_command_is help' -f -a '(__hasten_commands)'
complete -c hasten -n '__hasten_command_is diff export rm' -f -a '(__hasten_runs)'
complete -c hasten -n '__hasten_command_is show' -a '(__hasten_runs)'
complete -c hasten -n '__hasten_command_is heap; and test (count (commandline -opc)) -eq 2' -a '(__hasten_questions)'
complete -c hasten -n '__hasten_command_is heap; and test (count (commandline -opc)) -gt 2' -a '(__hasten_runs)'
complete -c hasten -n '__hasten_command_is attach count dump heap top' -a '(__fish_complete_pids)'
