/* ---
description: Carriers that customers choose from, under their newest names
grain: one row per carrier that can be chosen
key: [cargo_company_pk]
refresh: whole
columns:
  cargo_company_pk: Carrier that can be chosen (cargo_companies.pk)
  name: Name
  carrier: Carrier integration, as in fct_shipments.carrier; several choices may have the same
  erp_code: Code of the carrier in the ERP
--- */
SELECT pk AS cargo_company_pk, name, shipping_company AS carrier, erp_code
FROM orders.cargo_companies
