"""The credit lines that stand on every map drawn from these files; the licences ask for it."""

OSM_CREDIT = "© OpenStreetMap contributors (ODbL 1.0)"
GOVERNMENT_CREDIT = "行政區界：內政部，政府資料開放授權條款 第 1 版"
CREDITS = (OSM_CREDIT, GOVERNMENT_CREDIT)
