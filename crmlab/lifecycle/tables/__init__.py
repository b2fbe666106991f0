"""What is counted of customers, contracts and products, where the data live."""
