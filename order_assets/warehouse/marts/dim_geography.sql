/* ---
description: Places of addresses, from the country down to the district
grain: one row per combination of country, city, township and district
key: [geography_key]
refresh: whole
columns:
  geography_key: Keys of country, city, township and district, 0 where there is none
  country_pk: Country (countries.pk)
  country_code: ISO 3166 code in lower case
  country: Name of the country
  city_pk: City (cities.pk)
  city: Name of the city
  township_pk: Township (townships.pk)
  township: Name of the township
  district_pk: District (districts.pk)
  district: Name of the district
--- */
-- Every place of any version of an address, under its newest name: facts keep the places of their day.
SELECT
    coalesce(a.country_pk, 0) || '-' || coalesce(a.city_pk, 0) || '-' || coalesce(a.township_pk, 0)
    || '-' || coalesce(a.district_pk, 0) AS geography_key,
    a.country_pk,
    co.code AS country_code,
    co.name AS country,
    a.city_pk,
    ci.name AS city,
    a.township_pk,
    t.name AS township,
    a.district_pk,
    d.name AS district
FROM (SELECT DISTINCT country_pk, city_pk, township_pk, district_pk FROM history.addresses) AS a
LEFT JOIN orders.countries AS co ON co.pk = a.country_pk
LEFT JOIN orders.cities AS ci ON ci.pk = a.city_pk
LEFT JOIN orders.townships AS t ON t.pk = a.township_pk
LEFT JOIN orders.districts AS d ON d.pk = a.district_pk
