/** What of JSON schema the client's answers are described with. */

/**
 * Where a value is not of the shape that a schema says.
 *
 * @param {object} root the schema
 * @param {unknown} value
 * @returns {string[]} none if it is
 */
export function violations(root, value) {
  return check(root, root, value, 'it');
}

function check(root, schema, value, where) {
  if (schema === true) return [];
  if (schema.$ref) return check(root, resolve(root, schema.$ref), value, where);
  const options = schema.anyOf ?? schema.oneOf;
  if (options) {
    const found = options.some((option) => check(root, option, value, where).length === 0);
    if (!found) return [`${where} is none of what it may be`];
  }
  for (const part of schema.allOf ?? []) {
    const wrong = check(root, part, value, where);
    if (wrong.length > 0) return wrong;
  }
  if (schema.enum && !schema.enum.includes(value)) return [`${where} is ${value}, not one of ${schema.enum}`];
  if ('const' in schema && schema.const !== value) return [`${where} is ${value}, not ${schema.const}`];
  if (schema.type && ![schema.type].flat().some((type) => isOf(type, value))) return [`${where} is no ${schema.type}`];
  if (schema.pattern && typeof value === 'string' && !new RegExp(schema.pattern).test(value)) {
    return [`${where} is not as ${schema.pattern}`];
  }
  if (Array.isArray(value))
    return value.flatMap((item, at) => check(root, schema.items ?? true, item, `${where}[${at}]`));
  if (value !== null && typeof value === 'object') return checkFields(root, schema, value, where);
  return [];
}

function checkFields(root, schema, value, where) {
  const { properties = {}, required = [] } = schema;
  const missing = required.filter((name) => !(name in value)).map((name) => `${where} lacks ${name}`);
  const unknown = Object.keys(value).filter((name) => schema.properties && !(name in properties));
  const wrong = Object.entries(properties)
    .filter(([name]) => name in value)
    .flatMap(([name, inner]) => check(root, inner, value[name], `${where}.${name}`));
  return [...missing, ...unknown.map((name) => `${where} has ${name}, which no schema names`), ...wrong];
}

function resolve(root, reference) {
  return reference
    .replace('#/', '')
    .split('/')
    .reduce((schema, name) => schema[name], root);
}

function isOf(type, value) {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return value !== null && typeof value === 'object' && !Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}
