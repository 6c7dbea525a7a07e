# Many small processes.
for i in {1..60}; do (:); done; echo forks; for i in {1..20}; do true | true; done; x=; for i in {1..20}; do x+=$(echo -n $i,); done; echo $x; for i in {1..20}; do : & done; wait; echo waited
