#!/bin/sh
# make install and make uninstall, into a folder of the test's.
. "$(dirname "$0")/lib.sh"

build=$(dirname "$BACKSTOP")
unset MAKEFLAGS MAKELEVEL MFLAGS

# What is built already is taken as it is.
install_to() {
	make -s BUILD="$build" -o all DESTDIR="$dir/root" "$@" >"$dir/make.log" 2>&1
}

files() {
	(cd "$dir/root" && find . -mindepth 1 | sort)
}

for prefix in /usr/local /opt/backstop; do
	ok "install into $prefix" install_to PREFIX=$prefix install
	ok "the program is there" test -x "$dir/root$prefix/bin/backstop"
	ok "and its helper" test -x "$dir/root$prefix/libexec/backstop/backstop-spf"
	ok "uninstall" install_to PREFIX=$prefix uninstall
	is "$(find "$dir/root" -type f)" "" "no file is left"
	[ $prefix = /opt/backstop ] && break
	ok "the system's own folders stay" test -d "$dir/root$prefix/bin"
	rm -rf "$dir/root"
done
is "$(files)" "./etc
./opt" "nor a folder of ours"

mkdir -p "$dir/root/etc/backstop" "$dir/root/opt/backstop/bin"
ok "install beside others" install_to PREFIX=/opt/backstop install
: >"$dir/root/etc/backstop/backstop.conf"
: >"$dir/root/opt/backstop/bin/other"
ok "uninstall beside others" install_to PREFIX=/opt/backstop uninstall
is "$(files)" "./etc
./etc/backstop
./etc/backstop/backstop.conf
./opt
./opt/backstop
./opt/backstop/bin
./opt/backstop/bin/other" "what is not ours stays"

# The helper's place is compiled in.
object=$dir/build/src/net/spf.o
for prefix in /opt/one /opt/two; do
	ok "made for $prefix" make -s BUILD="$dir/build" PREFIX=$prefix "$object"
	ok "it looks there" grep -q "$prefix/libexec/backstop" "$object"
done
touch -d '2001-01-01' "$object"
find "$dir/build" -name prefix -exec touch -d '2000-01-01' '{}' ';'
ok "the same PREFIX again" make -s BUILD="$dir/build" PREFIX=/opt/two -o src/net/spf.c "$dir/build/prefix"
ok "leaves the note of it alone" test "$dir/build/prefix" -ot "$object"

done_testing
