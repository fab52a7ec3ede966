/*-------------------------------------------------------------------------
 *
 * tls_context.cpp
 *	  Who we are in TLS, and whom we believe (see tls_context.h).
 *
 *-------------------------------------------------------------------------
 */
#include "tls_context.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "tls_reason.h"

namespace dicomgw
{

/* 112 bits: RSA and DH of 2048, EC of 224, no SHA-1 in signatures. */
constexpr int SECURITY_LEVEL = 2;

/*
 * For TLS 1.2: what RFC 9325 4.2 recommends, then what PS3.15 B.9 has besides
 * (DHE takes ten times the time, and RFC 9325 4.1 would rather not see it).
 */
constexpr char CIPHERS[] = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
						   "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
						   "DHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256";

/* Nobody is there to be asked; but it is noted that there was a question. */
static int
no_passphrase(char *, int, int, void *asked)
{
	if (asked != NULL)
		*static_cast<bool *>(asked) = true;
	return -1;
}

/* What OpenSSL has to say of a file; for what the system said first, the system's words. */
static std::string
complaint(const char *what, const std::string &path)
{
	unsigned long code = ERR_peek_error();
	const char *reason = ERR_reason_error_string(code);
	std::string text = std::string("could not load the ") + what + " from \"" + path + "\": ";

	if (ERR_SYSTEM_ERROR(code))
		text += strerror(ERR_GET_REASON(code));
	else
		text += reason != NULL ? reason : "it holds none";
	ERR_clear_error();
	return text;
}

TlsContext::TlsContext(const SSL_METHOD *side)
	: native_(SSL_CTX_new(side))
{
}

TlsContext::~TlsContext()
{
	SSL_CTX_free(native_);
}

std::shared_ptr<const TlsContext>
TlsContext::build(const TlsFiles &files, std::string &why)
{
	std::shared_ptr<TlsContext> context(new TlsContext(TLS_server_method()));

	ERR_clear_error();
	if (!context->set_profile(why) || !context->load_own(files.certificate, files.key, why) ||
		!context->check_clients(files, why))
		return nullptr;
	return context;
}

std::shared_ptr<const TlsContext>
TlsContext::build(const TlsPeerCheck &peer, std::string &why)
{
	std::shared_ptr<TlsContext> context(new TlsContext(TLS_client_method()));

	ERR_clear_error();
	if (!context->set_profile(why) ||
		(!peer.certificate.empty() && !context->load_own(peer.certificate, peer.key, why)) ||
		!context->check_server(peer, why))
		return nullptr;
	return context;
}

bool
TlsContext::set_profile(std::string &why)
{
	if (native_ == NULL || SSL_CTX_set_min_proto_version(native_, TLS1_2_VERSION) != 1 ||
		SSL_CTX_set_cipher_list(native_, CIPHERS) != 1 || SSL_CTX_set_dh_auto(native_, 1) != 1)
	{
		why = "could not set up TLS";
		return false;
	}
	SSL_CTX_set_security_level(native_, SECURITY_LEVEL);
	SSL_CTX_set_session_cache_mode(native_, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(native_, 0);
	/* The end of an association is said by DICOM; many peers say no more than that. */
	SSL_CTX_set_options(native_, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
									 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION |
									 SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(native_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
								  SSL_MODE_RELEASE_BUFFERS);
	return true;
}

bool
TlsContext::load_own(const std::string &certificate, const std::string &key, std::string &why)
{
	bool asked = false;

	if (SSL_CTX_use_certificate_chain_file(native_, certificate.c_str()) != 1)
	{
		why = complaint("certificate", certificate);
		return false;
	}
	SSL_CTX_set_default_passwd_cb(native_, no_passphrase);
	SSL_CTX_set_default_passwd_cb_userdata(native_, &asked);
	bool loaded = SSL_CTX_use_PrivateKey_file(native_, key.c_str(), SSL_FILETYPE_PEM) == 1;

	SSL_CTX_set_default_passwd_cb_userdata(native_, NULL);
	if (loaded)
	{
		note_validity(certificate);
		return true;
	}
	if (asked)
		why = "private key \"" + key + "\" is protected by a passphrase";
	else if (ERR_GET_LIB(ERR_peek_error()) == ERR_LIB_X509)
		why = "private key \"" + key + "\" does not belong to certificate \"" + certificate + "\"";
	else
		why = complaint("private key", key);
	ERR_clear_error();
	return false;
}

/* Seconds since 1970; 0 if it is no time. */
static uint64_t
seconds_of(const ASN1_TIME *time)
{
	struct tm tm = {};

	if (ASN1_TIME_to_tm(time, &tm) != 1)
		return 0;
	time_t seconds = timegm(&tm);

	return seconds > 0 ? (uint64_t) seconds : 0;
}

static std::string
date_of(const ASN1_TIME *time)
{
	struct tm tm = {};
	char text[32] = "?";

	if (ASN1_TIME_to_tm(time, &tm) == 1)
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm);
	return text;
}

void
TlsContext::note_validity(const std::string &path)
{
	X509 *certificate = SSL_CTX_get0_certificate(native_);
	const ASN1_TIME *from = X509_get0_notBefore(certificate);
	const ASN1_TIME *to = X509_get0_notAfter(certificate);

	expires_ = seconds_of(to);
	if (X509_cmp_current_time(to) < 0)
		warning_ = "certificate \"" + path + "\" expired at " + date_of(to);
	else if (X509_cmp_current_time(from) > 0)
		warning_ = "certificate \"" + path + "\" is not valid before " + date_of(from);
}

/* How callers are verified. */
bool
TlsContext::check_clients(const TlsFiles &files, std::string &why)
{
	if (files.client == DGW_CLIENT_CERT_NONE)
	{
		SSL_CTX_set_verify(native_, SSL_VERIFY_NONE, NULL);
		return true;
	}

	STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(files.ca.c_str());

	if (names == NULL || SSL_CTX_load_verify_file(native_, files.ca.c_str()) != 1)
	{
		sk_X509_NAME_pop_free(names, X509_NAME_free);
		why = complaint("authorities' certificates", files.ca);
		return false;
	}
	SSL_CTX_set_client_CA_list(native_, names);
	SSL_CTX_set_verify(
		native_,
		SSL_VERIFY_PEER |
			(files.client == DGW_CLIENT_CERT_REQUIRED ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
		NULL);
	return files.crl.empty() || load_revocations(files.crl, why);
}

/* How the server that we connect to is verified; a name is compared as RFC 6125 has it. */
bool
TlsContext::check_server(const TlsPeerCheck &peer, std::string &why)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(native_);
	std::string address = ip_address(peer.server_name);
	bool named = peer.check != DGW_TLS_VERIFY_FULL;

	SSL_CTX_set_verify(native_, peer.check == DGW_TLS_REQUIRE ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
					   tls_note_refused);
	if (peer.check == DGW_TLS_REQUIRE)
		return true;
	if (peer.ca.empty() ? SSL_CTX_set_default_verify_paths(native_) != 1
						: SSL_CTX_load_verify_file(native_, peer.ca.c_str()) != 1)
	{
		why = complaint("authorities' certificates", peer.ca.empty() ? "the system" : peer.ca);
		return false;
	}
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (!named && !peer.server_name.empty())
		named = address.empty()
					? X509_VERIFY_PARAM_set1_host(param, peer.server_name.c_str(), 0) == 1
					: X509_VERIFY_PARAM_set1_ip_asc(param, address.c_str()) == 1;
	if (!named)
		why = "no certificate can be made out to \"" + peer.server_name + "\"";
	ERR_clear_error();
	return named;
}

std::string
ip_address(const std::string &host)
{
	std::string address = host.substr(0, host.find('%'));
	struct in6_addr parsed;

	if (inet_pton(AF_INET, address.c_str(), &parsed) == 1 ||
		inet_pton(AF_INET6, address.c_str(), &parsed) == 1)
		return address;
	return std::string();
}

/* Every certificate of a chain has to be on no list, so every authority has to have one. */
bool
TlsContext::load_revocations(const std::string &path, std::string &why)
{
	X509_STORE *store = SSL_CTX_get_cert_store(native_);
	FILE *file = fopen(path.c_str(), "re");
	unsigned lists = 0;
	X509_CRL *crl;

	if (file == NULL)
	{
		why = "could not load the revocation lists from \"" + path + "\": " + strerror(errno);
		return false;
	}
	while ((crl = PEM_read_X509_CRL(file, NULL, no_passphrase, NULL)) != NULL)
	{
		const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);

		if (X509_STORE_add_crl(store, crl) == 1)
			lists++;
		if (next != NULL && X509_cmp_current_time(next) < 0 && warning_.empty())
			warning_ = "a revocation list in \"" + path + "\" expired at " + date_of(next);
		X509_CRL_free(crl);
	}
	(void) fclose(file);
	/* The end of the file is an error, too: no start of another one. */
	if (lists == 0)
	{
		ERR_clear_error();
		why = "could not load the revocation lists from \"" + path + "\": it holds none";
		return false;
	}
	ERR_clear_error();
	X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	return true;
}

} // namespace dicomgw
