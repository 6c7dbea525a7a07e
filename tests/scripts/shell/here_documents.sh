# Here-documents: expansion, quoting, tabs, several, in loops and functions.
name=world
cat <<END
hello $name $(echo command) $((2 + 3)) \$escaped
END
cat <<'END'
hello $name $(echo command) `none`
END
cat <<-END
	tabs are
		gone
	END
cat <<A; cat <<B
first
A
second
B
f() { cat <<END
in a function: $1
END
}
f argument
for i in 1 2 3; do cat <<END
round $i
END
done
sed 's/a/b/' <<END | tr b c
banana
END
seq 1 3000 >numbers
cat <<END | wc -c | tr -d ' '
$(cat numbers)
END
