package secret

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"hash"
	"strings"

	"github.com/greenroom-dev/greenroom/pkg/fault"
)

// Types of PEM blocks: PKCS #8 (RFC 5958) in the open and encrypted, and PKCS #1.
const (
	pemPlain     = "PRIVATE KEY"
	pemEncrypted = "ENCRYPTED PRIVATE KEY"
	pemRSA       = "RSA PRIVATE KEY"
)

const (
	// iterations is OpenSSL's own default. The passphrases here are random, so
	// there is nothing to guess, and every start of an SDK pays for them.
	iterations = 2048
	// maxIterations keeps a hostile file from costing more than a second or so.
	maxIterations = 1_000_000
	saltLength    = 16
)

// The object identifiers of RFC 8018 that are in use.
var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}

	oidHMACSHA1   = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 7}
	oidHMACSHA256 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}
	oidHMACSHA512 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 11}

	oidDESEDE3CBC = asn1.ObjectIdentifier{1, 2, 840, 113549, 3, 7}
	oidAES128CBC  = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 2}
	oidAES192CBC  = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 22}
	oidAES256CBC  = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
)

// encryptedPrivateKeyInfo is EncryptedPrivateKeyInfo of RFC 5958.
type encryptedPrivateKeyInfo struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

// pbes2Params and pbkdf2Params are those of RFC 8018, appendix A.
type pbes2Params struct {
	KDF    pkix.AlgorithmIdentifier
	Cipher pkix.AlgorithmIdentifier
}

type pbkdf2Params struct {
	Salt       []byte
	Iterations int
	KeyLength  int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

// A blockCipher is one that keys are encrypted with, in CBC mode.
type blockCipher struct {
	keyLength int
	make      func(key []byte) (cipher.Block, error)
}

var (
	tripleDES = blockCipher{24, des.NewTripleDESCipher}
	aes128    = blockCipher{16, aes.NewCipher}
	aes192    = blockCipher{24, aes.NewCipher}
	aes256    = blockCipher{32, aes.NewCipher}
)

// PEM gives the key as a PEM file that whoever has it can use, PKCS #8.
func (k *PrivateKey) PEM() (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.rsa)
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "encode the key of secret inputs")
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: pemPlain, Bytes: der})), nil
}

// EncryptedPEM gives the key as a PEM file that needs the passphrase, PKCS #8
// encrypted with AES-256 (PBES2): the official SDKs read it, in base64, from
// APIFY_INPUT_SECRETS_PRIVATE_KEY_FILE.
func (k *PrivateKey) EncryptedPEM(passphrase string) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.rsa)
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "encode the key of secret inputs")
	}
	salt, iv := make([]byte, saltLength), make([]byte, aes.BlockSize)
	_, _ = rand.Read(salt) // it never fails: it ends the program instead
	_, _ = rand.Read(iv)
	key, err := pbkdf2.Key(sha256.New, passphrase, salt, iterations, aes256.keyLength)
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "encrypt the key of secret inputs")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "encrypt the key of secret inputs")
	}
	padding := aes.BlockSize - len(der)%aes.BlockSize
	der = append(der, bytes.Repeat([]byte{byte(padding)}, padding)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(der, der)

	info := encryptedPrivateKeyInfo{Data: der}
	info.Algorithm, err = pbes2(salt, iv)
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "encode the key of secret inputs")
	}
	file, err := asn1.Marshal(info)
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "encode the key of secret inputs")
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: pemEncrypted, Bytes: file})), nil
}

// pbes2 says how EncryptedPEM encrypts.
func pbes2(salt, iv []byte) (pkix.AlgorithmIdentifier, error) {
	kdf, err := asn1.Marshal(pbkdf2Params{
		Salt: salt, Iterations: iterations,
		PRF: pkix.AlgorithmIdentifier{Algorithm: oidHMACSHA256, Parameters: asn1.NullRawValue},
	})
	if err != nil {
		return pkix.AlgorithmIdentifier{}, err
	}
	vector, err := asn1.Marshal(iv)
	if err != nil {
		return pkix.AlgorithmIdentifier{}, err
	}
	params, err := asn1.Marshal(pbes2Params{
		KDF:    pkix.AlgorithmIdentifier{Algorithm: oidPBKDF2, Parameters: asn1.RawValue{FullBytes: kdf}},
		Cipher: pkix.AlgorithmIdentifier{Algorithm: oidAES256CBC, Parameters: asn1.RawValue{FullBytes: vector}},
	})
	if err != nil {
		return pkix.AlgorithmIdentifier{}, err
	}
	return pkix.AlgorithmIdentifier{Algorithm: oidPBES2, Parameters: asn1.RawValue{FullBytes: params}}, nil
}

// ParsePrivateKey reads an RSA key from a PEM file: PKCS #8 or PKCS #1, encrypted
// or not, the latter with any passphrase, as the SDKs do.
func ParsePrivateKey(file, passphrase string) (*PrivateKey, error) {
	key, err := parsePrivateKey(file, passphrase)
	if err == nil && key.N.BitLen() < keyBits {
		err = errors.New("it has fewer than 2048 bits")
	}
	if err != nil {
		return nil, fault.New(fault.InvalidInput, "the private key of secret inputs cannot be read: %w", err)
	}
	return &PrivateKey{key}, nil
}

func parsePrivateKey(file, passphrase string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(file))
	if block == nil {
		return nil, errors.New("it is not a PEM file")
	}
	switch block.Type {
	case pemPlain:
		return parsePKCS8(block.Bytes)
	case pemRSA:
		der := block.Bytes
		if block.Headers["Proc-Type"] == "4,ENCRYPTED" {
			var err error
			if der, err = decryptTraditional(der, block.Headers["DEK-Info"], passphrase); err != nil {
				return nil, err
			}
		}
		return x509.ParsePKCS1PrivateKey(der)
	case pemEncrypted:
		der, err := decryptPKCS8(block.Bytes, passphrase)
		if err != nil {
			return nil, err
		}
		return parsePKCS8(der)
	}
	return nil, errors.New("it holds no private key")
}

func parsePKCS8(der []byte) (*rsa.PrivateKey, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("it is not an RSA key")
	}
	return private, nil
}

// decryptPKCS8 decrypts an EncryptedPrivateKeyInfo.
func decryptPKCS8(der []byte, passphrase string) ([]byte, error) {
	var info encryptedPrivateKeyInfo
	var params pbes2Params
	var kdf pbkdf2Params
	var iv []byte
	if err := unmarshal(der, &info); err != nil {
		return nil, err
	}
	if !info.Algorithm.Algorithm.Equal(oidPBES2) {
		return nil, errors.New("it is encrypted in a way other than PBES2")
	}
	if err := unmarshal(info.Algorithm.Parameters.FullBytes, &params); err != nil {
		return nil, err
	}
	if !params.KDF.Algorithm.Equal(oidPBKDF2) {
		return nil, errors.New("its key derivation is not PBKDF2")
	}
	if err := unmarshal(params.KDF.Parameters.FullBytes, &kdf); err != nil {
		return nil, err
	}
	if err := unmarshal(params.Cipher.Parameters.FullBytes, &iv); err != nil {
		return nil, err
	}
	if kdf.Iterations < 1 || kdf.Iterations > maxIterations {
		return nil, errors.New("its key derivation has an unreasonable number of iterations")
	}
	prf, err := pseudorandom(kdf.PRF.Algorithm)
	if err != nil {
		return nil, err
	}
	with, err := cipherOf(params.Cipher.Algorithm)
	if err != nil {
		return nil, err
	}
	key, err := pbkdf2.Key(prf, passphrase, kdf.Salt, kdf.Iterations, with.keyLength)
	if err != nil {
		return nil, err
	}
	return decryptCBC(with, key, iv, info.Data)
}

// unmarshal reads one DER value and nothing behind it.
func unmarshal(der []byte, v any) error {
	rest, err := asn1.Unmarshal(der, v)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return errors.New("there is something behind the key")
	}
	return nil
}

func pseudorandom(oid asn1.ObjectIdentifier) (func() hash.Hash, error) {
	switch {
	case len(oid) == 0, oid.Equal(oidHMACSHA1): // the default of RFC 8018
		return sha1.New, nil
	case oid.Equal(oidHMACSHA256):
		return sha256.New, nil
	case oid.Equal(oidHMACSHA512):
		return sha512.New, nil
	}
	return nil, errors.New("its key derivation uses an unknown hash")
}

func cipherOf(oid asn1.ObjectIdentifier) (blockCipher, error) {
	switch {
	case oid.Equal(oidAES256CBC):
		return aes256, nil
	case oid.Equal(oidAES192CBC):
		return aes192, nil
	case oid.Equal(oidAES128CBC):
		return aes128, nil
	case oid.Equal(oidDESEDE3CBC):
		return tripleDES, nil
	}
	return blockCipher{}, errors.New("it is encrypted with an unknown cipher")
}

// decryptTraditional decrypts as OpenSSL did before PKCS #8: RFC 1421 headers,
// and the key made of MD5 sums of the passphrase and the first half of the IV.
func decryptTraditional(der []byte, info, passphrase string) ([]byte, error) {
	name, ivHex, _ := strings.Cut(info, ",")
	ciphers := map[string]blockCipher{
		"DES-EDE3-CBC": tripleDES, "AES-128-CBC": aes128, "AES-192-CBC": aes192, "AES-256-CBC": aes256,
	}
	with, ok := ciphers[name]
	if !ok {
		return nil, errors.New("it is encrypted with an unknown cipher")
	}
	iv, err := hex.DecodeString(strings.TrimSpace(ivHex))
	if err != nil || len(iv) < 8 {
		return nil, errors.New("it is encrypted with an invalid initialization vector")
	}
	var key, sum []byte
	for len(key) < with.keyLength {
		h := md5.New()
		h.Write(sum)
		h.Write([]byte(passphrase))
		h.Write(iv[:8])
		sum = h.Sum(nil)
		key = append(key, sum...)
	}
	return decryptCBC(with, key[:with.keyLength], iv, der)
}

func decryptCBC(with blockCipher, key, iv, data []byte) ([]byte, error) {
	block, err := with.make(key)
	if err != nil {
		return nil, err
	}
	size := block.BlockSize()
	if len(iv) != size {
		return nil, errors.New("it is encrypted with an invalid initialization vector")
	}
	if len(data) == 0 || len(data)%size != 0 {
		return nil, errors.New("its encrypted part is damaged")
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, data)
	padding := int(plain[len(plain)-1])
	if padding < 1 || padding > size || !bytes.HasSuffix(plain, bytes.Repeat([]byte{byte(padding)}, padding)) {
		return nil, errors.New("the passphrase is wrong")
	}
	return plain[:len(plain)-padding], nil
}
