# DEBUG, ERR, RETURN; nested and signal traps.
trap 'echo err $?' ERR; false; true; trap - ERR; f() { trap 'echo return' RETURN; echo in; }; f; trap - RETURN
(trap 'echo exit; ' EXIT; trap 'echo term' TERM; kill -TERM $BASHPID; echo after); trap -p | wc -l
set -o pipefail; false | true; echo "pipefail $?"; true | false | true; echo "${PIPESTATUS[@]}"; set +o pipefail
