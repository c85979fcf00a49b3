/* cppcheck reads no headers of libraries; these of their macros look like statements to it. */
#define json_array_foreach(array, index, value)                                                    \
	for (index = 0; index < json_array_size(array) && (value = json_array_get(array, index));  \
	     index++)
#define json_object_foreach(object, key, value)                                                    \
	for (key = json_object_iter_key(json_object_iter(object));                                 \
	     key && (value = json_object_iter_value(json_object_key_to_iter(key)));                \
	     key = json_object_iter_key(                                                           \
		     json_object_iter_next(object, json_object_key_to_iter(key))))
#define json_object_foreach_safe(object, n, key, value)                                            \
	for (key = json_object_iter_key(json_object_iter(object)),                                 \
	    n = json_object_iter_next(object, json_object_key_to_iter(key));                       \
	     key && (value = json_object_iter_value(json_object_key_to_iter(key)));                \
	     key = json_object_iter_key(n),                                                        \
	    n = json_object_iter_next(object, json_object_key_to_iter(key)))
#define mnl_attr_for_each(attr, nlh, offset)                                                       \
	for (attr = mnl_nlmsg_get_payload_offset(nlh, offset);                                     \
	     mnl_attr_ok(attr, mnl_nlmsg_get_payload_tail(nlh)); attr = mnl_attr_next(attr))
#define mnl_attr_for_each_nested(attr, nest)                                                       \
	for (attr = mnl_attr_get_payload(nest); mnl_attr_ok(attr, mnl_attr_get_payload(nest));     \
	     attr = mnl_attr_next(attr))
