/*-------------------------------------------------------------------------
 *
 * tls_context.h
 *	  Who we are in TLS, and whom we believe: an OpenSSL context, for a
 *	  listener or for connections to one destination.
 *
 * The BCP 195 profile of PS3.15 B.9 (RFC 9325: TLS 1.2 and 1.3, ciphers with
 * forward secrecy and authenticated encryption), keys and signatures of at
 * least 112 bits of security.  OpenSSL is told directly: DCMTK's profile knows
 * neither ECDSA nor X25519, and puts DHE first.  Sessions are not resumed:
 * each association looks at the peer's certificate and the revocation lists
 * anew.
 *
 * A listener's is built in the listening parent, from files, whenever there is
 * a new configuration; the association processes inherit it.  A sender's is
 * built before each association, so that renewed files count at once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_TLS_CONTEXT_H
#define DGW_TLS_CONTEXT_H

#include <cstdint>
#include <memory>
#include <openssl/ssl.h>
#include <string>

#include "../protocol/message.h"

namespace dicomgw
{

/* Absolute paths of PEM files; empty: none. */
struct TlsFiles
{
	std::string certificate; /* ours, and its chain */
	std::string key;
	std::string ca; /* whom callers' certificates must come from */
	std::string crl;
	DgwClientCertificate client = DGW_CLIENT_CERT_NONE;
};

/* What is asked of a server, and shown to it.  Paths as above. */
struct TlsPeerCheck
{
	DgwTlsCheck check = DGW_TLS_OFF;
	std::string server_name; /* for DGW_TLS_VERIFY_FULL: a DNS name or an IP address */
	std::string ca;			 /* empty: those that the system trusts */
	std::string certificate; /* empty: none is shown */
	std::string key;
};

class TlsContext
{
public:
	/* NULL, and why: which file, and what is wrong with it. */
	static std::shared_ptr<const TlsContext> build(const TlsFiles &files, std::string &why);
	static std::shared_ptr<const TlsContext> build(const TlsPeerCheck &peer, std::string &why);

	~TlsContext();
	TlsContext(const TlsContext &) = delete;
	TlsContext &operator=(const TlsContext &) = delete;

	SSL_CTX *native() const
	{
		return native_;
	}

	/* notAfter of our certificate, seconds since 1970. */
	uint64_t expires() const
	{
		return expires_;
	}

	/* What peers will complain about, as of now: expired and the like; empty: nothing. */
	const std::string &warning() const
	{
		return warning_;
	}

private:
	explicit TlsContext(const SSL_METHOD *side);
	bool set_profile(std::string &why);
	bool load_own(const std::string &certificate, const std::string &key, std::string &why);
	bool check_clients(const TlsFiles &files, std::string &why);
	bool check_server(const TlsPeerCheck &peer, std::string &why);
	bool load_revocations(const std::string &path, std::string &why);
	void note_validity(const std::string &path);

	SSL_CTX *native_;
	uint64_t expires_ = 0;
	std::string warning_;
};

/* IPv4 or IPv6, the latter without its zone; empty: a name. */
extern std::string ip_address(const std::string &host);

} // namespace dicomgw

#endif /* DGW_TLS_CONTEXT_H */
