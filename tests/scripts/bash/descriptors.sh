# Descriptors that bash chooses, and /dev/fd.
exec {fd}>f; echo x >&$fd; exec {fd}>&-; cat f; cat /dev/fd/3 3<<<three; exec 5<>f; read -u 5 l; echo $l; exec 5>&-; echo both &>g; cat g; { echo o; echo e >&2; } |& sort; echo a >>h; echo b &>>h; cat h
