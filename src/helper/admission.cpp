/*-------------------------------------------------------------------------
 *
 * admission.cpp
 *	  Who calls, and what the receiver says to that (see admission.h).
 *
 *-------------------------------------------------------------------------
 */
#include "admission.h"

#include <unistd.h>

#include "peer_text.h"

namespace dicomgw
{

static bool
request(Channel &worker, const Connection &connection, const Identity &identity,
		const std::string &calling_ae)
{
	T_ASC_Parameters *params = connection.params();
	const TlsSession &tls = connection.layer.tls_session();
	std::string called_ae = printable_ascii(params->DULparams.calledAPTitle);
	std::string class_uid = printable_ascii(params->theirImplementationClassUID);
	std::string version = printable_ascii(params->theirImplementationVersionName);
	DgwRequested requested = {};

	requested.calling_ae = slice(calling_ae);
	requested.called_ae = slice(called_ae);
	requested.implementation_class_uid = slice(class_uid);
	requested.implementation_version = slice(version);
	requested.max_pdu = (uint32_t) params->DULparams.peerMaxPDU;
	requested.contexts = (uint32_t) ASC_countPresentationContexts(params);
	requested.identity_type = identity.type();
	requested.username = slice(identity.username());
	requested.tls_version = slice(tls.version);
	requested.tls_cipher = slice(tls.cipher);
	requested.tls_subject = slice(tls.subject);
	return worker.send(dgw_encode_requested, requested);
}

static Permissions
permissions(const DgwAdmitted &admitted)
{
	Permissions permissions;

	permissions.may_store = admitted.may_store != 0;
	permissions.may_echo = admitted.may_echo != 0;
	permissions.store = {admitted.keep_mismatch != 0, admitted.max_object_size};
	permissions.passcode_hash = str(admitted.passcode_hash);
	for (uint32_t i = 0; i < admitted.n_transfer_syntaxes; i++)
		permissions.transfer_syntaxes.push_back(str(admitted.transfer_syntaxes[i]));
	return permissions;
}

Admission
ask_admission(Channel &worker, const Connection &connection, const Identity &identity)
{
	Admission admission;
	DgwAdmitted admitted;
	DgwFrame frame;

	admission.calling_ae = printable_ascii(connection.params()->DULparams.callingAPTitle);
	if (!request(worker, connection, identity, admission.calling_ae) ||
		worker.receive(frame) != DGW_READ_OK)
		_exit(1);
	if (frame.type == DGW_MSG_ADMITTED && dgw_decode_admitted(&frame, &admitted))
	{
		admission.admitted = true;
		admission.permissions = permissions(admitted);
	}
	else if (frame.type != DGW_MSG_REJECTED || !dgw_decode_rejected(&frame, &admission.rejected))
		_exit(1);
	return admission;
}

} // namespace dicomgw
