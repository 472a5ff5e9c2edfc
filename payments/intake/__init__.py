"""Files that tell of money: remittances of couriers, payments as the bank or the provider lists them."""
