# getopts: flags, arguments, errors, clusters, restart.
parse() {
    OPTIND=1
    while getopts 'ab:c' o "$@"; do
        case $o in
            a) echo flag a ;;
            b) echo "b with $OPTARG" ;;
            c) echo flag c ;;
            \?) echo "unknown" ;;
        esac
    done
    shift $((OPTIND - 1))
    echo "rest: $*"
}
parse -a -b value x y
parse -acb v2 z
parse -bjoined -- -a
parse
parse -a plain -c
parse -x 2>/dev/null
silent() { OPTIND=1; while getopts ':b:' o "$@"; do echo "$o ${OPTARG-}"; done; }
silent -b; silent -q; silent -b ok
