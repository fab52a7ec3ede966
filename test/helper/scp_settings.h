/*-------------------------------------------------------------------------
 *
 * scp_settings.h
 *	  What scp_driver can be told: what it configures dicomgw-scp with, and how
 *	  it plays the receiver.
 *
 *-------------------------------------------------------------------------
 */
#ifndef SCP_SETTINGS_H
#define SCP_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SETTING 1024

typedef struct Setting
{
	const char *name;
	char value[MAX_SETTING];
} Setting;

static Setting settings[] = {
	/* the configuration */
	{"storage", "."},
	{"mirror", ""},
	{"mirror_needed", "0"},
	{"max_associations", "100"},
	{"listeners", "1"}, /* 0 to 2; the second one has TLS */
	{"port", "11112"},
	{"tls_port", "2762"},
	{"bind", "127.0.0.1"},
	{"max_pdu", "131072"},
	{"association_timeout", "10"},
	{"idle_timeout", "60"},
	{"tls_certificate", ""},
	{"tls_key", ""},
	{"tls_ca", ""},
	{"tls_crl", ""},
	{"tls_client", "0"}, /* DgwClientCertificate */
	/* what a caller is told */
	{"ae", "DICOMGW"}, /* others are rejected, as is one too many */
	{"admit", "1"},	   /* 0: no answer */
	{"may_store", "1"},
	{"may_echo", "1"},
	{"keep_mismatch", "0"},
	{"max_object_size", "0"},
	{"passcode_hash", ""},
	{"transfer_syntaxes", ""}, /* separated by commas */
	/* what becomes of an object */
	{"answer", "commit"}, /* or none, or a status to refuse with, in hexadecimal */
	{"sync", "0"},		  /* 1: the object's directories are synced */
	{"headers", ""}, /* a directory: the JSON of each object is written to <token>.json there */
};

#define N_SETTINGS (sizeof(settings) / sizeof(settings[0]))

static const char *
setting(const char *name)
{
	for (size_t i = 0; i < N_SETTINGS; i++)
	{
		if (strcmp(settings[i].name, name) == 0)
			return settings[i].value;
	}
	abort();
}

/* name=value; false if there is no such setting. */
static bool
set_setting(const char *text)
{
	const char *equals = strchr(text, '=');

	for (size_t i = 0; equals != NULL && i < N_SETTINGS; i++)
	{
		size_t len = (size_t) (equals - text);

		if (strlen(settings[i].name) == len && strncmp(settings[i].name, text, len) == 0)
		{
			snprintf(settings[i].value, MAX_SETTING, "%s", equals + 1);
			return true;
		}
	}
	return false;
}

static uint32_t
number(const char *name)
{
	return (uint32_t) strtoul(setting(name), NULL, 10);
}

#endif /* SCP_SETTINGS_H */
