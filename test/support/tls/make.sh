#!/bin/sh
# Makes the certificates of this folder anew: an authority, three server certificates and a client's. For tests only; the keys
# are public, so nothing must ever trust them. Valid from 2020 to 2120, because tests have to pass on any date; one expired.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat > "$work/ca.cnf" <<END
[ca]
default_ca=own
[own]
database=$work/index.txt
crlnumber=$work/crlnumber
rand_serial=yes
unique_subject=no
new_certs_dir=$work
default_md=sha256
policy=names
[names]
commonName=supplied
END
: > "$work/index.txt"
echo 01 > "$work/crlnumber"

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }
ca() { openssl ca -batch -notext -config "$work/ca.cnf" "$@" 2>/dev/null; }
certificate() { # name, subject, extension, options of ca
  name=$1
  openssl req -new -key "$name.key" -subj "$2" -out "$work/$name.csr"
  printf '%b' "$3" > "$work/$name.ext"
  shift 3
  ca -in "$work/$name.csr" -extfile "$work/$name.ext" -out "$name.pem" \
    -startdate 20200101000000Z -enddate 21200101000000Z "$@"
}
authority() { # name, subject
  key "$1.key"
  certificate "$1" "$2" 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n' \
    -selfsign -keyfile "$1.key"
}
signed() { # name, subject, subjectAltName
  key "$1.key"
  certificate "$1" "$2" "subjectAltName=$3\nbasicConstraints=CA:FALSE\n" -cert authority.pem -keyfile authority.key
}

authority authority '/CN=kafkito test authority'
authority stranger '/CN=another authority'
signed server '/CN=localhost' 'DNS:localhost,IP:127.0.0.1'
signed elsewhere '/CN=elsewhere.example' 'DNS:elsewhere.example'
signed revoked '/CN=localhost' 'DNS:localhost,IP:127.0.0.1'
signed client '/CN=test-client' 'DNS:test-client'

# It vouches for itself: what is wrong with it is its date alone.
key expired.key
certificate expired '/CN=localhost' 'subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=critical,CA:TRUE\n' \
  -selfsign -keyfile expired.key -enddate 20200102000000Z

openssl pkcs8 -topk8 -v2 aes-256-cbc -in client.key -passout pass:sesame -out client-encrypted.key
openssl pkcs12 -export -in client.pem -inkey client.key -certfile authority.pem -passout pass:sesame -out client.p12

ca -cert authority.pem -keyfile authority.key -revoke revoked.pem
ca -cert authority.pem -keyfile authority.key -gencrl -crl_lastupdate 20200101000000Z -crl_nextupdate 21200101000000Z \
  -out revocations.pem
# As Kafka's PEM key stores want it.
for name in server elsewhere; do cat $name.key $name.pem authority.pem > $name-keystore.pem; done
rm authority.key stranger.key
