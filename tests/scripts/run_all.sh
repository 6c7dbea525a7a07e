# Runs every script in $1/scripts, each in an empty directory, and marks where its output begins.
root=$1
for script in "$root"/scripts/*.sh; do
    name=${script##*/}
    mkdir "$root/tmp/work"
    echo "@@@ ${name%.sh}"
    (cd "$root/tmp/work" && exec sh "../../scripts/$name") </dev/null 2>&1
    echo "status $?"
    rm -rf "$root/tmp/work"
done
