/*-------------------------------------------------------------------------
 *
 * dictionary.cpp
 *	  Writes the data dictionary (PS3.6) that DCMTK has as the INSERT that
 *	  fills dicomgw.attribute, and which version of it that is.  Run by the
 *	  build, part of the install script.
 *
 * Left out: private attributes, repeating groups (their tag is not one tag),
 * and those without a keyword.
 *
 *-------------------------------------------------------------------------
 */
#include <cstdio>
#include <map>
#include <set>
#include <string>

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcdict.h>
#include <dcmtk/dcmdata/dcdicent.h>
#include <dcmtk/dcmdata/dcuid.h>

int
main()
{
	std::map<std::string, std::string> rows; /* tag -> 'KEYWORD', 'VR' */
	std::set<std::string> keywords;

	if (!dcmDataDict.isDictionaryLoaded())
	{
		fprintf(stderr, "DCMTK finds no data dictionary (DCMDICTPATH)\n");
		return 1;
	}
	DcmDataDictionary &dictionary = dcmDataDict.wrlock();

	for (auto it = dictionary.normalBegin(); it != dictionary.normalEnd(); ++it)
	{
		const DcmDictEntry *entry = *it;
		const std::string keyword = entry->getTagName();
		char tag[9];

		if (entry->getPrivateCreator() != nullptr || entry->isRepeating() ||
			(entry->getGroup() & 1) || keyword.empty() ||
			keyword.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
									  "0123456789") != std::string::npos ||
			!keywords.insert(keyword).second)
			continue;
		snprintf(tag, sizeof(tag), "%04X%04X", entry->getGroup(), entry->getElement());
		rows[tag] = "'" + keyword + "', '" + entry->getVR().getValidVRName() + "'";
	}
	dcmDataDict.wrunlock();

	printf("INSERT INTO dicomgw.attribute (tag, keyword, vr) VALUES");
	const char *separator = "\n";
	for (const auto &row : rows)
	{
		printf("%s    ('%s', %s)", separator, row.first.c_str(), row.second.c_str());
		separator = ",\n";
	}
	printf(
		";\n\n"
		"CREATE FUNCTION dicomgw._dcmtk_version() RETURNS text\n"
		"LANGUAGE sql IMMUTABLE PARALLEL SAFE\n"
		"SET search_path = pg_catalog, pg_temp\n"
		"RETURN '%s';\n"
		"COMMENT ON FUNCTION dicomgw._dcmtk_version() IS 'Called by the view version: DCMTK''s';\n",
		OFFIS_DCMTK_VERSION_STRING);
	return rows.size() > 1000 ? 0 : 1;
}
