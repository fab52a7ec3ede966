/*-------------------------------------------------------------------------
 *
 * listener_config.h
 *	  One row of dicomgw.listener, as the receiver gave it.
 *
 * A connection keeps what its listener was when it was accepted, whatever
 * becomes of the listener later: so it is shared, and never changed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DGW_LISTENER_CONFIG_H
#define DGW_LISTENER_CONFIG_H

#include <cstdint>
#include <memory>
#include <string>

#include "../protocol/message.h"
#include "tls_context.h"

namespace dicomgw
{

struct ListenerConfig
{
	uint32_t id;
	std::string bind_address;
	uint16_t port;
	uint32_t max_pdu;
	uint32_t association_timeout;
	uint32_t idle_timeout;
	bool tls;
	TlsFiles tls_files;
	std::shared_ptr<const TlsContext> tls_context; /* what was made of them */
};

using SharedListenerConfig = std::shared_ptr<const ListenerConfig>;

} // namespace dicomgw

#endif /* DGW_LISTENER_CONFIG_H */
