package har

import (
	"slices"
	"strings"
)

// class says what is known of a value by the name it has.
type class int

const (
	// unknown is kept unless it looks like a secret.
	unknown class = iota
	// kept is no secret: only what is known to be one, and a JWT, is taken out of it.
	kept
	// said is a text for people, which may repeat a secret.
	said
	// hidden is a secret, whatever it looks like.
	hidden
)

// place is where a name stands.
type place int

const (
	inJSON place = iota
	inParams
	inHead
)

// classOf classifies a name.
func classOf(name string, at place) class {
	plain := plainName(name)
	switch {
	case at == inParams && among(secretParams, plain), among(secretNames, plain):
		return hidden
	case among(texts, plain):
		return said
	case among(keptNames, plain), strings.HasSuffix(plain, "supported"):
		return kept
	case at == inHead && among(keptHeaders, plain):
		return kept
	case isAbout(plain):
		return unknown
	case holds(plain, secretParts):
		return hidden
	case isID(name):
		return kept
	}
	return unknown
}

// among reports whether a word is one of a list.
func among(list, word string) bool { return slices.Contains(strings.Fields(list), word) }

// holds reports whether a word of a list is a part of a name.
func holds(name, list string) bool {
	return slices.ContainsFunc(strings.Fields(list), func(part string) bool { return strings.Contains(name, part) })
}

// plainName is a name without what tells ways of writing it apart: access_token, accessToken,
// Access-Token.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("-_.: ", r) {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

// secretNames are secrets wherever they stand.
const secretNames = "auth jwt key otp passcode pin sig mac hash sas ticket saml artifact usercode devicecode " +
	"authreqid authorizationcode authcode loginticket sessiondata"

// secretParams are secrets where parameters are: elsewhere they are codes of errors and states of
// things.
const secretParams = "code state relaystate sid request"

// secretParts make a name one of a secret.
const secretParts = "token secret password passwd passphrase pwd assertion credential apikey accesskey privatekey " +
	"sharedkey signingkey cookie session authorization signature samlre verifier csrf xsrf bearer xauth proof"

// aboutSecrets are the ends of names that are not of a secret but of something about it.
const aboutSecrets = "endpoint uri url type typehint expiresin expiresat expireson expiry alg method methods format " +
	"lifetime use ttl required status maxage issuedat scope scopes count"

// isAbout reports whether a name that has a secret's in it is that of something about it: its kind,
// its life, where it is had.
func isAbout(plain string) bool {
	ends := func(end string) bool { return strings.HasSuffix(plain, end) }
	return slices.ContainsFunc(strings.Fields(aboutSecrets), ends)
}

// isID reports whether a name is that of an identifier, which is what a support finds things by.
func isID(name string) bool {
	for _, end := range []string{"_id", "-id", "_ids", "Id", "ID", "Ids", "_ID", "-Id", "-ID", ".id", ":id"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// keptNames are of values that are no secrets: what OAuth and OpenID Connect say of tokens, errors
// and clients, public keys, and what requests are found by at a service.
const keptNames = "" +
	// RFC 6749, RFC 7591, RFC 8414, RFC 8628, RFC 8693, OpenID Connect
	"error erroruri errorcodes scope scopes scp expiresin expiresat tokentype granttype " +
	"responsetype responsemode redirecturi clientassertiontype issuedtokentype subjecttokentype " +
	"actortokentype requestedtokentype tokentypehint audience resource codechallenge codechallengemethod " +
	"interval verificationuri active username loginhint prompt acrvalues uilocales postlogoutredirecturi " +
	// claims (RFC 7519, OpenID Connect Core, RFC 8705, RFC 9068)
	"alg typ cty kid enc iss sub aud azp exp nbf iat jti sid authtime acr amr nonce athash chash shash jkt " +
	"x5t x5t#s256 crit id ids tid oid cid uid name email locale roles groups entitlements realmaccess " +
	"resourceaccess " +
	// what replies say of errors
	"code status statuscode type errorcode timestamp path instance " +
	// what a support finds a request by
	"requestid correlationid traceid spanid transactionid contextid traceparent tracestate entityid"

// texts are for people.
const texts = "errordescription message reason title detail details errormessage errordetails developermessage " +
	"description"

// keptHeaders are of values that are no secrets in a head (RFC 9110 to RFC 9112, and what gateways add).
const keptHeaders = "accept acceptencoding acceptlanguage acceptcharset allow age cachecontrol connection " +
	"contentdisposition contentencoding contentlanguage contentlength contenttype date expect expires forwarded from " +
	"host ifmatch ifmodifiedsince ifnonematch keepalive lastmodified origin pragma range retryafter server " +
	"stricttransportsecurity te trailer transferencoding upgrade useragent vary via warning etag link " +
	"xpoweredby xcontenttypeoptions xframeoptions xxssprotection referrerpolicy permissionspolicy " +
	"accesscontrolalloworigin accesscontrolallowheaders accesscontrolallowmethods accesscontrolexposeheaders " +
	"accesscontrolmaxage accesscontrolallowcredentials xrequestid xcorrelationid xtraceid xb3traceid " +
	"xb3spanid xb3parentspanid b3 xamzntraceid xamznrequestid xamzcfid xamzcfpop xamzid2 cfray xcache " +
	"xservedby xtimer xcloudtracecontext xenvoyupstreamservicetime xmsrequestid xmsclientrequestid " +
	"uberctraceid ininrequestid inincorrelationid altsvc nel reportto servertiming"

// ofKey classifies a member of a public key in a JSON Web Key Set (RFC 7517), or of one that should
// have been public.
func ofKey(name string) class {
	switch name {
	case "n", "e", "x", "y", "x5c", "x5t", "kty", "crv", "use", "key_ops":
		return kept
	case "d", "p", "q", "dp", "dq", "qi", "oth", "k":
		return hidden
	}
	return classOf(name, inJSON)
}
