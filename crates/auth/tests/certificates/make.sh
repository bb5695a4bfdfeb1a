#!/bin/sh
# Makes the files of this directory with OpenSSL 3 and a JDK. They are checked in, so that the tests need neither.
# The password of every file is `marker-password` unless its name says otherwise. Nothing here opens anything.
set -e
pass=marker-password
days=36500
ec() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

ec root.key
openssl req -x509 -new -key root.key -subj "/CN=Test root" -days $days -out root.crt
ec middle.key
openssl req -new -key middle.key -subj "/CN=Test issuer" -out middle.csr
printf 'basicConstraints=critical,CA:TRUE\n' > ca.ext
printf 'extendedKeyUsage=clientAuth\n' > leaf.ext
openssl x509 -req -in middle.csr -CA root.crt -CAkey root.key -days $days -extfile ca.ext -out middle.crt
for name in anna ben; do
  ec $name.key
  openssl req -new -key $name.key -subj "/O=Acme/CN=$name" -out $name.csr
  openssl x509 -req -in $name.csr -CA middle.crt -CAkey middle.key -days $days -extfile leaf.ext -out $name.crt
done
openssl genrsa -out rsa.key 2048
openssl req -x509 -new -key rsa.key -subj "/CN=rsa" -days $days -out rsa.crt
openssl genpkey -algorithm ED25519 -out ed.key
openssl req -x509 -new -key ed.key -subj "/CN=ed" -days $days -out ed.crt

cat root.crt middle.crt anna.key anna.crt > chain.pem
openssl rsa -in rsa.key -traditional -out pkcs1.key && cat rsa.crt pkcs1.key > pkcs1.pem
openssl ec -in anna.key -out sec1.key && cat sec1.key anna.crt > sec1.pem
cat ed.key ed.crt > ed25519.pem
cat anna.crt ben.key > mismatch.pem
openssl x509 -req -in ben.csr -CA middle.crt -CAkey middle.key -days $days -out v1.crt && cat ben.key v1.crt > version-1.pem
cat anna.key anna.crt ben.key ben.crt > two.pem
openssl pkcs8 -topk8 -in anna.key -passout pass:$pass -out sealed.key && cat sealed.key anna.crt > sealed.pem
openssl pkcs8 -topk8 -v2 des3 -v2prf hmacWithSHA1 -in anna.key -passout pass:$pass -out des3.key && cat des3.key anna.crt > sealed-des3.pem
openssl pkcs8 -topk8 -scrypt -in anna.key -passout pass:$pass -out scrypt.key && cat scrypt.key anna.crt > sealed-scrypt.pem
openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES -in anna.key -passout pass:$pass -out pbes1.key && cat pbes1.key anna.crt > sealed-pbes1.pem
openssl rsa -in rsa.key -traditional -aes128 -passout pass:$pass -out dek.key && cat dek.key rsa.crt > traditional.pem

chain="-certfile middle.crt -inkey anna.key -in anna.crt -name anna"
openssl pkcs12 -export $chain -passout pass:$pass -out modern.pfx
openssl pkcs12 -export $chain -legacy -passout pass:$pass -out legacy.pfx
openssl pkcs12 -export $chain -legacy -certpbe PBE-SHA1-RC2-128 -keypbe PBE-SHA1-3DES -passout pass:$pass -out rc2-128.pfx
openssl pkcs12 -export $chain -legacy -certpbe PBE-SHA1-RC4-128 -keypbe PBE-SHA1-RC4-128 -passout pass:$pass -out rc4.pfx
openssl pkcs12 -export $chain -passout pass: -out empty-password.pfx
openssl pkcs12 -export $chain -passout pass:証明書のパスワード -out japanese-password.pfx
openssl pkcs12 -export $chain -nomac -passout pass:$pass -out without-mac.pfx
openssl pkcs12 -export $chain -iter 2000001 -passout pass:$pass -out costly.pfx
openssl x509 -in anna.crt -outform DER -out alone.cer

openssl pkcs12 -export -inkey ben.key -in ben.crt -certfile middle.crt -name ben -passout pass:$pass -out ben.p12
import() { keytool -importkeystore -noprompt -srckeystore "$1" -srcstorepass $pass -srcstoretype PKCS12 -destkeystore "$2" -deststoretype "$3" -deststorepass $pass; }
import modern.pfx one.jks JKS
import modern.pfx two.jks JKS
import ben.p12 two.jks JKS
import modern.pfx java9.jks PKCS12
import ben.p12 java9.jks PKCS12
import modern.pfx old.jceks JCEKS
cp one.jks own-key-password.jks
keytool -keypasswd -keystore own-key-password.jks -storetype JKS -storepass $pass -alias anna -keypass $pass -new other-password
keytool -importcert -noprompt -keystore trusted-only.jks -storetype JKS -storepass $pass -alias root -file root.crt
rm -f *.key *.crt *.csr *.ext ben.p12
chmod 644 *
