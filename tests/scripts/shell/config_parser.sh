# Reads a configuration, as start scripts do.
cat >conf <<'END'
# comment
name = cowbell
size=10

[section]
path = /a/b  # trailing
END
section=main
while IFS= read -r line; do
    line=${line%%#*}
    case $line in
        '') continue ;;
        \[*\]) section=${line#?}; section=${section%]} ;;
        *=*) k=$(echo "${line%%=*}" | tr -d ' '); v=$(echo "${line#*=}" | sed 's/^ *//;s/ *$//'); echo "$section.$k=$v" ;;
        *) echo "odd: $line" ;;
    esac
done <conf
