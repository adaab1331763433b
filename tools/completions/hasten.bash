# Completion of hasten for bash.  Commands, options and runs are asked of hasten itself, so that this file never
# knows less than the program.

_hasten_commands() { "${1:-hasten}" help 2>/dev/null | sed -n 's/^  \([a-z]\{2,\}\)  *[a-zA-Z].*/\1/p' | grep -vx hasten; }

# What a heap may be asked.
_hasten_questions() { "$1" help heap 2>/dev/null | sed -n "s/^  hasten heap \([a-z]\{2,\}\) .*/\1/p"; }

_hasten_options() { # program command
    # shellcheck disable=SC2086
    "$1" help $2 2>/dev/null |
        sed -n -e 's/^  \(-[^ ,]\), \(--[a-z-]*\).*/\1 \2/p' -e 's/^      \(--[a-z-]*\).*/\1/p' | tr ' ' '\n'
}

_hasten_takes_value() { # program command option
    # shellcheck disable=SC2086
    "$1" help $2 2>/dev/null | grep -Eq -- "^  .*$3(, --[a-z-]+)? [A-Z]"
}

_hasten_runs() {
    printf 'last\n'
    "$1" runs --json 2>/dev/null | tr ',{' '\n\n' |
        sed -n -e 's/.*"number": *\([0-9]*\).*/\1/p' -e 's/.*"name": *"\([^"]\{1,\}\)".*/\1/p'
}

_hasten() {
    local program=$1 current=$2 previous=$3 command=${COMP_WORDS[1]}
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "$(_hasten_commands "$program") --version --help" -- "$current")
        return
    fi
    local i word operands=0
    [[ $command == heap && COMP_CWORD -gt 2 && ${COMP_WORDS[2]} =~ ^[a-z]+$ ]] && command="heap ${COMP_WORDS[2]}"
    for ((i = 2; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == -- ]]; then
            operands=1
        elif [[ $word == -* ]]; then
            _hasten_takes_value "$program" "$command" "$word" && ((i++))
        else
            operands=1
        fi
    done
    if [[ $command == run || $command == trace || $command == lines || $command == top ]] && ((operands)); then
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
    fi
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_hasten_options "$program" "$command")" -- "$current")
        return
    fi
    case $previous in
    -f | --format)
        mapfile -t COMPREPLY < <(compgen -W "$("$program" export --list-formats 2>/dev/null | sed "s/ .*//")" -- "$current")
        return
        ;;
    -o | --output | --store)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    esac
    case $command in
    help) mapfile -t COMPREPLY < <(compgen -W "$(_hasten_commands "$program")" -- "$current") ;;
    show) # a run, or a file of cProfile or line_profiler
        mapfile -t COMPREPLY < <(compgen -W "$(_hasten_runs "$program")" -- "$current"; compgen -f -X '!*prof' -- "$current")
        ;;
    diff | export | rm) mapfile -t COMPREPLY < <(compgen -W "$(_hasten_runs "$program")" -- "$current") ;;
    attach | count) mapfile -t COMPREPLY < <(compgen -W "$(pgrep -f python 2>/dev/null)" -- "$current") ;;
    heap) mapfile -t COMPREPLY < <(compgen -W "$(_hasten_questions "$program") $(pgrep -f python 2>/dev/null)" -- "$current"; compgen -f -- "$current") ;;
    heap\ *) mapfile -t COMPREPLY < <(compgen -W "$(_hasten_runs "$program")" -- "$current") ;;
    dump | top) mapfile -t COMPREPLY < <(compgen -W "$(pgrep -f python 2>/dev/null)" -- "$current"; compgen -f -- "$current") ;;
    run | trace | lines | import) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    esac
}

complete -o filenames -F _hasten hasten
