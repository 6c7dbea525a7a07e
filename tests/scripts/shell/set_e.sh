# set -e: where it ends a shell, and where it does not.
(set -e; false; echo not reached); echo "1: $?"
(set -e; false || true; echo reached); echo "2: $?"
(set -e; if false; then :; fi; echo reached); echo "3: $?"
(set -e; ! true; echo reached); echo "4: $?"
(set -e; false && true; echo reached); echo "5: $?"
(set -e; f() { false; echo in f; }; f; echo not reached); echo "6: $?"
(set -e; f() { false; echo in f; }; f || echo f failed); echo "7: $?"
(set -e; x=$(false); echo not reached); echo "8: $?"
(set -e; while false; do :; done; echo reached); echo "9: $?"
(set -e; (exit 9); echo not reached); echo "10: $?"
(set -e; trap 'echo trap $?' EXIT; exit 3); echo "11: $?"
(set -eu; echo "$undefined") 2>/dev/null; echo "12: $(( $? != 0 ))"
set +e; false; echo still here
