/*-------------------------------------------------------------------------
 *
 * tls_reason.h
 *	  Why TLS failed, in words that tell people what to do.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_TLS_REASON_H
#define DGW_TLS_REASON_H

#include <openssl/ssl.h>
#include <string>

namespace dicomgw
{

/*
 * For SSL_CTX_set_verify(): when a certificate is refused, note whom it is made
 * out to, in the string that is the connection's application data.
 */
extern int tls_note_refused(int good, X509_STORE_CTX *context);

/*
 * Of the failure that OpenSSL has just reported for this connection.
 * server_name: whom a client wanted to talk to.
 */
extern std::string tls_reason(SSL *ssl, const std::string &server_name);

} // namespace dicomgw

#endif /* DGW_TLS_REASON_H */
