/*-------------------------------------------------------------------------
 *
 * tls_reason.cpp
 *	  Why TLS failed, in words that tell people what to do
 *	  (see tls_reason.h).
 *
 *-------------------------------------------------------------------------
 */
#include "tls_reason.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "peer_text.h"

namespace dicomgw
{

/* A certificate may have any number of names; these show what kind it is. */
constexpr int MAX_NAMES = 8;
constexpr size_t MAX_NAME = 256;

static std::string
text_of(const ASN1_STRING *string)
{
	return clean_utf8(std::string(reinterpret_cast<const char *>(ASN1_STRING_get0_data(string)),
								  (size_t) ASN1_STRING_length(string)),
					  MAX_NAME);
}

static std::string
common_name(X509 *certificate)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	if (at < 0)
		return "nobody";
	return "\"" + text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))) + "\"";
}

static std::string
address_text(const ASN1_OCTET_STRING *address)
{
	int family = ASN1_STRING_length(address) == sizeof(struct in_addr) ? AF_INET : AF_INET6;
	char text[INET6_ADDRSTRLEN];

	if (family == AF_INET6 && ASN1_STRING_length(address) != sizeof(struct in6_addr))
		return "?";
	return inet_ntop(family, ASN1_STRING_get0_data(address), text, sizeof(text)) != NULL ? text
																						 : "?";
}

/* Whom a certificate is made out to. */
static std::string
names_of(X509 *certificate)
{
	auto *names = static_cast<GENERAL_NAMES *>(
		X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL));
	std::string text;

	for (int i = 0; i < sk_GENERAL_NAME_num(names) && i < MAX_NAMES; i++)
	{
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		std::string one;

		if (name->type == GEN_DNS)
			one = text_of(name->d.dNSName);
		else if (name->type == GEN_IPADD)
			one = address_text(name->d.iPAddress);
		if (!one.empty())
			text += (text.empty() ? "\"" : ", \"") + one + "\"";
	}
	GENERAL_NAMES_free(names);
	return text.empty() ? common_name(certificate) : text;
}

int
tls_note_refused(int good, X509_STORE_CTX *context)
{
	auto *ssl = static_cast<SSL *>(
		X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
	auto *names = static_cast<std::string *>(SSL_get_app_data(ssl));
	X509 *certificate = X509_STORE_CTX_get0_cert(context);

	if (!good && names != NULL && certificate != NULL)
		*names = names_of(certificate);
	return good;
}

static std::string
verification_reason(SSL *ssl, long verified, const std::string &server_name)
{
	std::string words = X509_verify_cert_error_string(verified);
	auto *names = static_cast<const std::string *>(SSL_get_app_data(ssl));

	switch (verified)
	{
		case X509_V_ERR_HOSTNAME_MISMATCH:
		case X509_V_ERR_IP_ADDRESS_MISMATCH:
			return "the peer's certificate is not made out to \"" + server_name + "\" but to " +
				   (names != NULL ? *names : "somebody else");
		case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
		case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
		case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
			return "the peer's certificate is not trusted: " + words;
		default:
			return "the peer's certificate is not valid: " + words;
	}
}

/* The peer has ended it, with an alert (RFC 8446 6); reasons of this range are alerts. */
static std::string
alert_reason(SSL *ssl, int alert)
{
	std::string words = std::string("the peer refused with the TLS alert \"") +
						SSL_alert_desc_string_long(alert) + "\"";

	if (SSL_is_server(ssl))
		return words;
	switch (alert)
	{
		case SSL_AD_HANDSHAKE_FAILURE:
		case SSL_AD_CERTIFICATE_REQUIRED:
			return words + (SSL_get_certificate(ssl) == NULL
								? ": it may want a certificate of ours, and we have none"
								: "");
		case SSL_AD_BAD_CERTIFICATE:
		case SSL_AD_UNSUPPORTED_CERTIFICATE:
		case SSL_AD_CERTIFICATE_REVOKED:
		case SSL_AD_CERTIFICATE_EXPIRED:
		case SSL_AD_CERTIFICATE_UNKNOWN:
		case SSL_AD_UNKNOWN_CA:
		case SSL_AD_ACCESS_DENIED:
			return words + ": it does not accept our certificate";
		default:
			return words;
	}
}

std::string
tls_reason(SSL *ssl, const std::string &server_name)
{
	long verified = SSL_get_verify_result(ssl);
	unsigned long error = ERR_peek_error();
	int code = ERR_GET_REASON(error);
	const char *text = ERR_reason_error_string(error);

	if (SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE && verified != X509_V_OK)
		return verification_reason(ssl, verified, server_name);
	if (ERR_GET_LIB(error) == ERR_LIB_SSL && code > SSL_AD_REASON_OFFSET)
		return alert_reason(ssl, code - SSL_AD_REASON_OFFSET);
	return text != NULL ? text : "unknown TLS error";
}

} // namespace dicomgw
