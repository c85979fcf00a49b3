#!/bin/sh
# Two containers on one bridge: a web server, and a client that asks it; then the way of a published port.
set -eu
work=$(mktemp -d)
finish() {
	strake rm --force server >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap finish EXIT

mkdir "$work/www"
echo "hello, neighbour" >"$work/www/index.html"
strake run -d --name server -p 127.0.0.1:8080:80 -v "$work/www:/www:ro" --bare /bin/busybox -- httpd -f -p 80 -h /www
address=$(strake inspect --format '{{.NetworkSettings.IPAddress}}' server)

echo "From another container, straight to $address:"
strake run --rm --bare /bin/busybox -- sh -c "printf 'GET / HTTP/1.0\r\n\r\n' | nc $address 80 | tail -n 1"
echo "From this host, through the published port:"
curl --silent --retry 5 --retry-connrefused http://127.0.0.1:8080/
echo "Who is where:"
strake network inspect bridge
