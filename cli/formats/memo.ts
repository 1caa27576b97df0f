/** Works a value out once for each key; the engine hands out the same list, address set or port set again and again. */
export function memo<K, V>(valueOf: (key: K) => V): (key: K) => V {
  const values = new Map<K, V>();
  return (key) => {
    let value = values.get(key);
    if (value === undefined) values.set(key, (value = valueOf(key)));
    return value;
  };
}
