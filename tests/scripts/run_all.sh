# run_all.sh ROOT NAME...: runs those of ROOT/scripts, each in an empty directory; marks where the output of each begins.
root=$1
shift
for name; do
    mkdir "$root/tmp/work"
    echo "@@@ $name"
    (cd "$root/tmp/work" && exec sh "../../scripts/$name.sh") </dev/null 2>&1
    echo "status $?"
    rm -rf "$root/tmp/work"
done
